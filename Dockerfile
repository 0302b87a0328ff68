# One image with two programs, `api` and `worker`. There is no ENTRYPOINT: the platform's start
# command chooses. There are no cache mounts, since Railway refuses those without an id of its own.
# Layers do the caching: dependencies change with Cargo.lock, our crates with the code.

# The image has make and a C compiler, which the build of jemalloc needs.
FROM rust:1.95-bookworm AS chef
WORKDIR /src
RUN cargo install cargo-chef --locked --version 0.1.73

FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
COPY --from=planner /src/recipe.json recipe.json
RUN cargo chef cook --release --locked --recipe-path recipe.json --package api --package worker
COPY . .
# After the dependencies, so that a new commit does not build them again. Railway sets
# RAILWAY_GIT_COMMIT_SHA when it builds from GitHub.
ARG GIT_SHA
ARG RAILWAY_GIT_COMMIT_SHA
RUN GIT_SHA="${GIT_SHA:-${RAILWAY_GIT_COMMIT_SHA:-unknown}}" cargo build --release --locked --package api --package worker \
 && mkdir /out \
 && cp target/release/api target/release/worker /etc/ssl/certs/ca-certificates.crt /out/

# No RUN from here on: production runs Debian's base, two programs and the certificates that they
# trust.
FROM debian:bookworm-slim
ARG GIT_SHA=unknown
LABEL org.opencontainers.image.title="Holdfast" \
      org.opencontainers.image.description="The backend of a product made of AI agents: api and worker" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${GIT_SHA}"
COPY --from=build /out/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/api /out/worker /usr/local/bin/
# By number, since a platform that requires a user other than root cannot look a name up.
USER 10001:10001
EXPOSE 8080
CMD ["/usr/local/bin/api"]
