import { rm } from 'node:fs/promises';
import { bootAsProcesses, makeTestFolder } from '../support/container-host';
import { describeWith, program } from '../support/requirements';
import { describesSetup } from './boot-setup';

const needs = ['sshd', 'ssh', 'tmux', 'jq', 'openssl', 'curl'].map(program);

describeWith(needs, 'a host as processes that is launched with a setup', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await makeTestFolder();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  describesSetup((environment) => bootAsProcesses(folder)(environment));
});
