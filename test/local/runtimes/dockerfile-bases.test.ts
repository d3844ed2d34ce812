import { baseImages } from '../../../lib/local/runtimes/dockerfile-bases';

describe('the base images of a Dockerfile', () => {
  it('are those of every stage but scratch and earlier stages', () => {
    const dockerfile = [
      '# syntax=docker/dockerfile:1',
      'FROM --platform=linux/amd64 debian:bookworm-slim AS Build',
      'RUN from nothing',
      'FROM scratch AS empty',
      'FROM build',
      'from debian:bookworm-slim',
      'FROM \\',
      '  node:20',
    ].join('\n');
    expect(baseImages(dockerfile)).toEqual(['debian:bookworm-slim', 'node:20']);
  });

  it('take arguments before the first FROM from the build, else from their defaults', () => {
    const dockerfile =
      'ARG BASE=debian:bookworm-slim\nARG TAG\nFROM ${BASE} AS a\nARG BASE=later\nFROM node:${TAG:-20}\nFROM $BASE\n';
    expect(baseImages(dockerfile)).toEqual(['debian:bookworm-slim', 'node:20']);
    expect(baseImages(dockerfile, { BASE: 'other/base@sha256:0', TAG: '24' })).toEqual([
      'other/base@sha256:0',
      'node:24',
    ]);
  });

  it('leave out names that only the builder can complete', () => {
    expect(baseImages('FROM base-${TARGETARCH}\n')).toEqual([]);
  });

  it('fill in defaults that are quoted or built from other arguments', () => {
    expect(baseImages('ARG TAG="bookworm"\nARG BASE=debian:${TAG}${SLIM:+-slim}\nFROM $BASE\n')).toEqual([
      'debian:bookworm',
    ]);
  });
});
