// The client that npm's orval writes: HOLDFAST_URL=… HOLDFAST_DOCUMENT=… orval --config orval.config.mjs

export default {
  holdfast: {
    input: process.env.HOLDFAST_DOCUMENT,
    output: {
      target: "./orval_client.ts",
      client: "fetch",
      baseUrl: process.env.HOLDFAST_URL,
      headers: true,
      urlEncodeParameters: true,
    },
  },
};
