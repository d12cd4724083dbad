# syntax=docker/dockerfile:1
# docker build -t ashlar . && docker run -p 3000:3000 -v ashlar:/data -e JWT_SECRET="$(openssl rand -base64 48)" ashlar

FROM node:20-bookworm-slim AS build
# better-sqlite3 is compiled here, and the compiler stays here.
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image ships Node's headers: nothing is fetched to compile against.
RUN npm_config_nodedir=/usr/local npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY shared ./shared
COPY server ./server
COPY client ./client
COPY deploy/keep-peers.mjs ./deploy/
# Peers are the product's to install when Ashlar is a library. Here Ashlar is the product.
RUN npm run build && node deploy/keep-peers.mjs && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
ENV NODE_ENV=production PORT=3000 HOST=0.0.0.0 DATA_DIR=/data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3000
# It proves that the store takes writes, not only that the port is open. With ASHLAR_PREFIX set, give a check of your own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node itself as process 1: it gets SIGTERM and drains. An npm in front would swallow it.
CMD ["node", "dist/server/cli/ashlar.js", "serve"]
