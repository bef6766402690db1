# Builds with everything, runs with what production needs. The image holds both programs; the proxy is the default.
FROM node:24-slim AS build
WORKDIR /zerocloud
COPY . .
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production ZEROCLOUD_HOST=0.0.0.0 ZEROCLOUD_DATA_DIR=/data
WORKDIR /zerocloud
# Confines programs where the container may make namespaces (docs/operations.md).
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*
RUN mkdir /data && chown node:node /data
COPY --from=build /zerocloud/package.json ./
COPY --from=build /zerocloud/node_modules ./node_modules
COPY --from=build /zerocloud/packages ./packages
COPY --from=build /zerocloud/scripts/healthcheck.mjs ./scripts/
USER node
VOLUME /data
EXPOSE 8080 6200
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["node", "scripts/healthcheck.mjs"]
CMD ["node", "packages/proxy/dist/main.js"]
