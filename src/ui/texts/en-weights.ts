// English sentences about weights on their way and in memory.

export const weights = {
  silent: "The server has stopped sending. What has arrived is kept, and it is asked again every 15 seconds.",
  askAgain: "Ask again now",
  stopped: (name: string) => `You stopped loading ${name}. What has arrived is kept.`,
};
