# One build stage, one small image per service. 'docker compose build' makes all three from one compilation.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
    build-essential ca-certificates cmake ninja-build pkg-config libcurl4-openssl-dev libwebsockets-dev \
    libwebsockets-evlib-uv libuv1-dev libcjson-dev libmicrohttpd-dev libsqlite3-dev zlib1g-dev uthash-dev libutf8proc-dev libxxhash-dev \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
WORKDIR /src
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY shared shared
COPY models models
COPY bot bot
COPY leveling_api leveling_api
COPY member_listener member_listener
RUN cmake --preset release -DWALLE_PLAYGROUND=OFF && cmake --build --preset release && strip build/release/bin/*

# The local Discord, for tests/containers only; not deployed.
FROM build AS build_playground
COPY tests/fake_discord tests/fake_discord
RUN cmake --preset release -DWALLE_PLAYGROUND=ON && cmake --build --preset release --target walle-fake-discord

# What the services have in common: no compiler, no shell tools beyond the base's, one unprivileged user for all (they share
# the database's files), and the volume's directory with its rights.
FROM debian:bookworm-slim AS service
COPY container/run-service /usr/local/bin/
# The script has the rights that it has in the checkout, which a strict umask made unreadable for others.
RUN chmod 755 /usr/local/bin/run-service && groupadd --gid 10001 walle && useradd --uid 10001 --gid walle --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin walle \
    && install -d -o walle -g walle -m 700 /data
ENV database_config__PATH=/data/walle.sqlite3
COPY --from=build /src/build/release/bin/walle-db /usr/local/bin/
USER walle
VOLUME /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["run-service"]

FROM service AS leveling_api
USER root
RUN apt-get update && apt-get install -y --no-install-recommends libcjson1 libmicrohttpd12 libsqlite3-0 libutf8proc2 tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --from=build /src/build/release/bin/walle-leveling-api /usr/local/bin/
USER walle
ENV leveling_api__BIND=0.0.0.0
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD ["walle-leveling-api", "--healthcheck"]
CMD ["walle-leveling-api"]

FROM service AS gateway
USER root
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libcjson1 libcurl4 libmicrohttpd12 libsqlite3-0 libutf8proc2 \
    libuv1 libwebsockets17 libwebsockets-evlib-uv tzdata zlib1g && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
USER walle

FROM gateway AS bot
COPY --from=build /src/build/release/bin/walle-bot /usr/local/bin/
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["walle-bot", "--healthcheck"]
CMD ["walle-bot"]

FROM gateway AS member_listener
COPY --from=build /src/build/release/bin/walle-member-listener /usr/local/bin/
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["walle-member-listener", "--healthcheck"]
CMD ["walle-member-listener"]

FROM gateway AS playground
COPY --from=build_playground /src/build/release/bin/walle-fake-discord /usr/local/bin/
# It tells its clients its own address.
ENTRYPOINT ["sh", "-c", "exec walle-fake-discord --bind \"$(hostname -i)\" \"$@\"", "walle-fake-discord"]
