// The whole Railway project. `railway config plan` compares it with the present state, `railway
// config apply` applies it.
//
//   HOLDFAST_REPOSITORY   the GitHub repository, owner/name, that the images of NATS and Qdrant are built from
//   IMAGE_REF             the image of api and worker; by default the one that the workflow pushed last from main
//
// Secrets are not here: `preserve()` keeps the values that were set by hand or by script.
import { defineRailway, github, group, image, preserve, project, redis, service, volume } from "railway/iac";

const repository = process.env.HOLDFAST_REPOSITORY;
if (!repository || !/^[^/\s]+\/[^/\s]+$/.test(repository)) {
  throw new Error("HOLDFAST_REPOSITORY wants the GitHub repository, as owner/name");
}
const ours = image(process.env.IMAGE_REF || `ghcr.io/${repository.toLowerCase()}:main`);

export default defineRailway((ctx) => {
  const production = ctx.environment === "production";

  const postgresData = volume("postgres-data", { sizeMB: 10_240 });
  const postgres = service("postgres", {
    // Railway's own Postgres has no pgvector.
    source: image("pgvector/pgvector:0.8.1-pg18"),
    volumeMounts: { "/var/lib/postgresql": postgresData },
    deploy: { restartPolicyType: "ALWAYS", overlapSeconds: 0, drainingSeconds: 60 },
    env: {
      POSTGRES_USER: "holdfast",
      POSTGRES_DB: "holdfast",
      POSTGRES_PASSWORD: preserve(),
      DATABASE_URL: "postgres://holdfast:${{POSTGRES_PASSWORD}}@${{RAILWAY_PRIVATE_DOMAIN}}:5432/holdfast",
    },
  });

  const cache = redis("redis");

  const natsData = volume("nats-data", { sizeMB: 2_048 });
  const nats = service("nats", {
    source: github(repository, { rootDirectory: "deploy/nats" }),
    build: { builder: "DOCKERFILE", dockerfilePath: "Dockerfile" },
    volumeMounts: { "/data": natsData },
    deploy: { restartPolicyType: "ALWAYS", overlapSeconds: 0, drainingSeconds: 35 },
    env: { URL: "nats://${{RAILWAY_PRIVATE_DOMAIN}}:4222" },
  });

  const qdrantData = volume("qdrant-data", { sizeMB: 10_240 });
  const qdrant = service("qdrant", {
    source: github(repository, { rootDirectory: "deploy/qdrant" }),
    build: { builder: "DOCKERFILE", dockerfilePath: "Dockerfile" },
    volumeMounts: { "/qdrant/storage": qdrantData },
    deploy: { restartPolicyType: "ALWAYS", overlapSeconds: 0, drainingSeconds: 30 },
    env: { URL: "http://${{RAILWAY_PRIVATE_DOMAIN}}:6334" },
  });

  const both = {
    ENVIRONMENT: production ? "production" : "staging",
    DATABASE_URL: postgres.env.DATABASE_URL,
    REDIS_URL: cache.env.REDIS_URL,
    NATS_URL: nats.env.URL,
    QDRANT_URL: qdrant.env.URL,
    REQUIRE_PRIVATE_NETWORK: "true",
    // During a deployment, four copies of api and two of worker share Postgres' 100 connections:
    // see "Connections" in docs/operations.md.
    DATABASE_MAX_CONNECTIONS: "13",
    METRICS_ADDR: "[::]:9090",
  };

  const api = service("api", {
    source: ours,
    start: "/usr/local/bin/api",
    preDeploy: "/usr/local/bin/api migrate",
    healthcheck: "/health/ready",
    healthcheckTimeout: 120,
    replicas: production ? 2 : 1,
    deploy: { restartPolicyType: "ON_FAILURE", restartPolicyMaxRetries: 10, overlapSeconds: 10, drainingSeconds: 40 },
    env: {
      ...both,
      PUBLIC_URL: "https://${{RAILWAY_PUBLIC_DOMAIN}}",
      CORS_ORIGINS: preserve(),
      // Railway's edge is the only proxy in front.
      TRUSTED_PROXY_DEPTH: "1",
      SECRETS_KEY: preserve(),
      WEBHOOK_SIGNING_KEY: preserve(),
      JWT_SIGNING_KEY: preserve(),
      VAULT_SIGNING_KEY: preserve(),
      VAULT_KEK: preserve(),
      // Public, but different for each deployment; none until it is set.
      VAULT_WITNESSES: preserve(),
      APP_URL: preserve(),
      SENTRY_DSN: preserve(),
    },
  });

  const worker = service("worker", {
    source: ours,
    start: "/usr/local/bin/worker",
    healthcheck: "/health/ready",
    healthcheckTimeout: 120,
    replicas: 1,
    deploy: { restartPolicyType: "ALWAYS", overlapSeconds: 0, drainingSeconds: 60 },
    env: {
      ...both,
      // One copy: each program decrypts what the other encrypts.
      SECRETS_KEY: api.env.SECRETS_KEY,
      // One copy: the API publishes the key that the worker signs with.
      WEBHOOK_SIGNING_KEY: api.env.WEBHOOK_SIGNING_KEY,
      VAULT_SIGNING_KEY: api.env.VAULT_SIGNING_KEY,
      VAULT_KEK: api.env.VAULT_KEK,
      // Names the logs that the worker signs for witnesses.
      PUBLIC_URL: api.env.PUBLIC_URL,
      // One list: the API publishes as its policy whom the worker asks.
      VAULT_WITNESSES: api.env.VAULT_WITNESSES,
      APP_URL: api.env.APP_URL,
      SENTRY_DSN: api.env.SENTRY_DSN,
      // One of SMTP_URL and RESEND_API_KEY; mail waits until one is set.
      SMTP_URL: preserve(),
      RESEND_API_KEY: preserve(),
      MAIL_FROM: preserve(),
    },
  });

  return project("holdfast", {
    resources: [
      group("Holdfast", [api, worker]),
      group("Data", [postgres, postgresData, cache, nats, natsData, qdrant, qdrantData]),
    ],
  });
});
