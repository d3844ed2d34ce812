
# What a sandbox has beyond an agent's host. These lines follow docker/Dockerfile, in its last stage:
#   cat docker/Dockerfile docker/sandbox/layers.dockerfile
# Debian's Node runs the engine, and is there for the sandbox's own code too.
# hadolint ignore=DL3008
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nodejs \
  && apt-get clean \
  && rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log /var/log/alternatives.log

# The user of a sandbox's commands. root, which runs the engine, is not theirs.
RUN useradd --uid 1000 --user-group --create-home --shell /bin/bash sandbox \
  && passwd --lock sandbox \
  && install -d -m 0755 -o sandbox -g sandbox /workspace

COPY sandboxd.js /usr/local/lib/mngr/sandboxd.js
