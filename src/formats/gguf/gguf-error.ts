// What is wrong with a GGUF file. The message goes on a sentence that begins with the file's name.

export class GgufError extends Error {}
