// English sentences about models for photographs.

export const photos = {
  offer: (name: string) => `Working with photos? Try ${name}`,
  facts: (size: string, license: string) => (size === "" ? `licence: ${license}` : `${size} · licence: ${license}`),
  from: (host: string) => `from ${host}, once; your pictures stay here`,
  notYetRun: "not yet run here on its real weights",
  researchOnly: "for research only",
  get: (name: string) => `Get ${name}`,
  looking: "Asking what it takes…",
  use: (name: string) => `Use ${name}`,
  askAgain: (name: string) => `Ask ${name}`,
  more: "Other models",
  ask: "It may not fit this device, or your connection charges for data.",
  listTitle: "Models for photographs",
  look: (name: string) => `Check ${name}`,
};
