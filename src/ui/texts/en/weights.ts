// English sentences about weights on their way and in memory.

export const weights = {
  silent: "The server has stopped sending. What has arrived is kept, and it is asked again every 15 seconds.",
  askAgain: "Ask again now",
  stopped: (name: string) => `You stopped loading ${name}. What has arrived is kept.`,
  madeRoom: (name: string) =>
    `${name} made room in memory for another model. It is loaded again when you ask it something.`,
  /** Beside a model's name. */
  loaded: "loaded",
};
