// Server-sent events from bytes that may be cut anywhere: inside a character, a line end or a field. Pure; knows no protocol above.

/** One event; `name` is "message" unless the server named it. */
export interface SseEvent {
  readonly name: string;
  readonly data: string;
}

export interface SseParser {
  /** The events that end within these bytes. */
  push(bytes: Uint8Array): SseEvent[];
  /** The event that was still open when the connection ended; a server may forget the last empty line. */
  end(): SseEvent[];
}

/** A parser for one stream. Lines end with CR, LF or both; comments are skipped; a line "error: …" is an event of that name. */
export function createSseParser(): SseParser {
  const decoder = new TextDecoder();
  let rest = "";
  let afterCr = false;
  let name = "";
  let data: string[] = [];

  const dispatch = (): SseEvent[] => {
    const event = { name: name === "" ? "message" : name, data: data.join("\n") };
    const filled = data.length > 0;
    name = "";
    data = [];
    return filled ? [event] : [];
  };

  const readLine = (line: string): SseEvent[] => {
    if (line === "") return dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line.startsWith(" ", colon + 1) ? colon + 2 : colon + 1);
    if (field === "data") data.push(value);
    else if (field === "event") name = value;
    else if (field === "error") {
      // llama.cpp says it this way.
      name = "error";
      data.push(value);
    }
    return [];
  };

  const read = (text: string): SseEvent[] => {
    // The second half of a line end that was cut between its two characters.
    const fresh = afterCr && text.startsWith("\n") ? text.slice(1) : text;
    if (text !== "") afterCr = text.endsWith("\r");
    const lines = (rest + fresh).split(/\r\n|\r|\n/);
    rest = lines.pop() ?? "";
    return lines.flatMap(readLine);
  };

  return {
    push: (bytes) => read(decoder.decode(bytes, { stream: true })),
    end: () => {
      const events = read(decoder.decode());
      const last = rest;
      rest = "";
      return [...events, ...(last === "" ? [] : readLine(last)), ...dispatch()];
    },
  };
}
