// English sentences about models for photographs.

export const photos = {
  offer: (name: string) => `Working with photos? Try ${name}`,
  facts: (size: string, license: string) => (size === "" ? license : `${size} · ${license}`),
  from: (host: string) => `Downloaded once from ${host}. Your pictures stay on this device.`,
  orMore: (size: string) => `${size} or more`,
  notYetRun: "experimental",
  researchOnly: "research use only",
  get: (name: string) => `Get ${name}`,
  unreachable: (host: string) => `Couldn't reach ${host}.`,
  looking: "Checking the size…",
  use: (name: string) => `Use ${name}`,
  askAgain: (name: string) => `Ask ${name}`,
  more: "Other models",
  ask: "It may not fit this device, or your connection may charge for data.",
  listTitle: "Available to download",
};
