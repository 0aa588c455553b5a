import { expect, test } from "vitest";
import { decoderBytes, estimateTokensPerSecond } from "./decode-speed.ts";

const files = [
  { path: "onnx/decoder_model_merged_q4.onnx", bytes: 1e6 },
  { path: "onnx/decoder_model_merged_q4.onnx_data", bytes: 199e6 },
  { path: "onnx/decoder_model_merged_f32.onnx", bytes: 5e6 },
  { path: "onnx/vision_encoder.onnx", bytes: 100e6 },
];

test("only the decoder's weights are read for every token", () => {
  expect(decoderBytes(files)).toBe(200e6);
});

test("a graphics device reads 4 bits as they are, a processor as 32", () => {
  const decoder = { bytes: 200e6, fourBit: true };
  expect(estimateTokensPerSecond(decoder, { bytesPerSecond: 100e9, onGpu: true })).toBeCloseTo(250);
  expect(estimateTokensPerSecond(decoder, { bytesPerSecond: 10e9, onGpu: false })).toBeCloseTo(3.125);
  expect(estimateTokensPerSecond({ ...decoder, fourBit: false }, { bytesPerSecond: 10e9, onGpu: false })).toBeCloseTo(
    25,
  );
});

test("nothing is guessed where no decoder is known", () => {
  expect(estimateTokensPerSecond({ bytes: 0, fourBit: true }, { bytesPerSecond: 1, onGpu: false })).toBeUndefined();
});
