import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentImage } from '../test/support/host/agent-image';
import { BASE_IMAGE, ensureBaseImage } from '../test/support/host/base-image';
import { containerEngine } from '../test/support/run/requirements';
import type { Bench } from './support/bench';
import { runCommand } from './support/command';
import { mebibytes } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

/** The packages of the Python plugin's image (Metta-AI/mngr-fargate, docker/Dockerfile). */
const PEER_PACKAGES = 'openssh-server git tmux rsync jq curl procps sudo ca-certificates ncurses-term';
const PEER_TAG = 'mngr-fargate-bench/peer';

/** Debian's own slim images clean up after apt and leave documentation out; a base made locally may not. */
const PEER = `FROM ${BASE_IMAGE}
RUN printf 'path-exclude %s\\n' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*' > /etc/dpkg/dpkg.cfg.d/slim \\
  && apt-get update \\
  && apt-get install -y --no-install-recommends ${PEER_PACKAGES} \\
  && apt-get clean \\
  && rm -rf /var/lib/apt/lists/*
`;

export const bench: Bench = {
  title: "what the agent image adds to its base, against the Python plugin's package list on the same base",
  missing: () => containerEngine.missing(),
  run: ({ progress }) =>
    withTemporaryFolder(async (folder) => {
      progress('building both images');
      const base = await sizeOf(await ensureBaseImage());
      const image = await sizeOf(await agentImage());
      await writeFile(join(folder, 'Dockerfile'), PEER);
      await docker('build', '--quiet', '--network', 'host', '--tag', PEER_TAG, folder);
      const peer = await sizeOf(PEER_TAG);
      return {
        rows: [
          {
            what: 'bytes added to the base',
            measured: mebibytes(image - base),
            comparison: 'peer',
            against: `the plugin's packages ${mebibytes(peer - base)}`,
            ratio: (image - base) / (peer - base),
          },
        ],
        notes: [`the base, ${BASE_IMAGE}, has ${mebibytes(base)}; no coding agent is baked in; sizes are uncompressed`],
      };
    }),
};

const docker = async (...args: string[]): Promise<string> =>
  (await runCommand({ program: 'docker', args })).stdout.trim();

const sizeOf = async (image: string): Promise<number> =>
  Number(await docker('image', 'inspect', '--format', '{{.Size}}', image));
