// A model on a server, as the chat needs a model. Nothing of it is loaded: "loading" asks the server whether it has the model.
import { generateRemote } from "#remote/generate.ts";
import { findModel } from "#remote/models.ts";
import type { EncodePicture } from "#remote/request.ts";
import { hostOf, type Server, type ServerModel } from "#remote/http/server.ts";
import type { ModelClient } from "#chat/models/model-client.ts";

/** `id` is the model's among all models of the chat; `encodePicture` makes pictures ready to send. */
export function createServerModelClient(
  server: Server,
  id: string,
  wanted: ServerModel,
  encodePicture: EncodePicture,
): ModelClient {
  let model = wanted;
  return {
    async load() {
      const began = performance.now();
      model = await findModel(server, wanted);
      return {
        id,
        name: model.id,
        device: "remote",
        host: hostOf(server),
        adapter: "",
        threads: 0,
        notices: [],
        contextLength: model.contextLength ?? Infinity,
        imageTokens: 0,
        loadMs: performance.now() - began,
      };
    },
    generate: (request, signal) => generateRemote(server, model, request, signal, encodePicture),
    // A server that goes away is noticed by the next question.
    onDied: () => () => undefined,
  };
}
