# Stands in for the official image redis:7-alpine where no registry answers: Debian's Redis 7, and what that image's users rely on:
# the account redis by its number, the volume /data, an entry point that leaves root behind. `molecule/images/build` builds it.
ARG RELEASE=bookworm
FROM debian:${RELEASE}
ARG APT_CONF=""

RUN set -eu; \
    printf '%s' "$APT_CONF" > /etc/apt/apt.conf.d/90build-machine; \
    groupadd --system --gid 999 redis; \
    useradd --system --uid 999 --gid redis --home-dir /data --no-create-home --shell /usr/sbin/nologin redis; \
    export DEBIAN_FRONTEND=noninteractive; \
    apt-get update; \
    apt-get install --yes --no-install-recommends redis-server; \
    apt-get clean; \
    rm -rf /var/lib/apt/lists/* /etc/redis; \
    mkdir /data; \
    chown redis:redis /data

# As in the official one: options alone are for redis-server, root becomes redis, files are for nobody else.
RUN printf '%s\n' \
        '#!/bin/sh' \
        'set -e' \
        'if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- redis-server "$@"; fi' \
        'if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then' \
        '  find . \! -user redis -exec chown redis {} +' \
        '  exec setpriv --reuid redis --regid redis --clear-groups "$0" "$@"' \
        'fi' \
        'if [ "$(umask)" = 0022 ]; then umask 0077; fi' \
        'exec "$@"' > /usr/local/bin/docker-entrypoint.sh; \
    chmod 0755 /usr/local/bin/docker-entrypoint.sh

VOLUME /data
WORKDIR /data
EXPOSE 6379
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["redis-server"]
