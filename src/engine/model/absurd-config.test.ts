import { expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import { readModelConfig } from "./config.ts";
import type { PackageFiles } from "#engine/types.ts";

const sound = {
  image_token_index: 3,
  text_config: { vocab_size: 10, hidden_size: 8, num_hidden_layers: 2, num_attention_heads: 2 },
  vision_config: { image_size: 8 },
};

/** The config files of a package, of which config.json is this text. */
function packageWith(config: string): PackageFiles {
  const files = new Map([
    ["config.json", config],
    ["preprocessor_config.json", `{"image_mean":[0,0,0],"image_std":[1,1,1]}`],
    ["tokenizer_config.json", "{}"],
  ]);
  return {
    blob(path) {
      const text = files.get(path);
      return text === undefined
        ? Promise.reject(new EngineError("bad-package", path))
        : Promise.resolve(new Blob([text]));
    },
  };
}

test.each([
  ["num_hidden_layers", 1e9],
  ["num_hidden_layers", 1025],
  ["hidden_size", 1e12],
  ["vocab_size", 1e15],
  ["num_attention_heads", 1e18],
  ["head_dim", 1e9],
])("a config.json whose %s is %d is refused by its name", async (field, value) => {
  const config = { ...sound, text_config: { ...sound.text_config, [field]: value } };
  const reading = readModelConfig(packageWith(JSON.stringify(config)));
  await expect(reading).rejects.toThrow(`config.json: text_config.${field}: no model`);
});

test("a config.json that is nested 100,000 deep where nobody looks is read, and where a size should be it is refused", async () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const text = JSON.stringify(sound);
  const aside = `${text.slice(0, -1)},"notes":${deep}}`;
  await expect(readModelConfig(packageWith(aside))).resolves.toMatchObject({ layers: 2 });
  const instead = text.replace(`"hidden_size":8`, `"hidden_size":${deep}`);
  await expect(readModelConfig(packageWith(instead))).rejects.toMatchObject({ code: "bad-package" });
});
