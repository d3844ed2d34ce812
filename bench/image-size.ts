import { execFileSync } from 'node:child_process';
import { agentImage } from '../test/support/agent-image';
import { BASE_IMAGE, ensureBaseImage } from '../test/support/base-image';

/** The packages of mngr's first Fargate plugin, whose image this one is measured against. */
const PEER_PACKAGES = 'openssh-server git tmux rsync jq curl procps sudo ca-certificates ncurses-term'; // Metta-AI/mngr-fargate, docker/Dockerfile

/** Debian's own slim images clean up after apt and leave documentation out; a base made locally may not. */
const PEER = `FROM ${BASE_IMAGE}
RUN printf 'path-exclude %s\\n' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*' > /etc/dpkg/dpkg.cfg.d/slim \\
  && apt-get update \\
  && apt-get install -y --no-install-recommends ${PEER_PACKAGES} \\
  && apt-get clean \\
  && rm -rf /var/lib/apt/lists/*
`;

const docker = (args: readonly string[], input?: string): string =>
  execFileSync('docker', args, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'inherit'] }).trim();

const sizeOf = (image: string): number => Number(docker(['image', 'inspect', '--format', '{{.Size}}', image]));

/** Prints, as JSON, the bytes that each image adds to the same base, and the ratio of the two. */
async function main(): Promise<void> {
  const base = sizeOf(await ensureBaseImage());
  const image = await agentImage();
  const peer = 'mngr-fargate-bench/peer';
  docker(['build', '--quiet', '--network', 'host', '--tag', peer, '-'], PEER);
  const added = { image: sizeOf(image) - base, peer: sizeOf(peer) - base };
  console.log(
    JSON.stringify({
      base: BASE_IMAGE,
      baseBytes: base,
      ...added,
      ratio: Number((added.image / added.peer).toFixed(3)),
    }),
  );
}

void main();
