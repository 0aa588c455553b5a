// English sentences about models for photographs.

export const photos = {
  offer: (name: string) => `Working with photos? Try ${name}`,
  beside: {
    one: (name: string) => `This looks like a photo. ${name} understands photos better.`,
    all: (name: string) => `These look like photos. ${name} understands photos better.`,
    some: (name: string) => `Some of these look like photos. ${name} understands photos better.`,
  },
  notAgain: "Don't suggest this again",
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
