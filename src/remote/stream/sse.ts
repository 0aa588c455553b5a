// An incremental parser of server-sent events; the bytes may be split within a character, a line end or a field. Pure.

/** One event; `name` is "message" unless the server named it. */
export interface SseEvent {
  readonly name: string;
  readonly data: string;
}

export interface SseParser {
  /** The events that end within these bytes. */
  push(bytes: Uint8Array): SseEvent[];
  /** The event that was unfinished when the connection ended; some servers omit the last empty line. */
  end(): SseEvent[];
}

/**
 * A parser for one stream. Lines end with CR, LF or both. Comments, ids, retry times and events with empty data are skipped, as the
 * specification says; a line "error: …" becomes an event of that name. Any other line goes to `onOther`.
 */
export function createSseParser(onOther: (line: string) => void = () => undefined): SseParser {
  const decoder = new TextDecoder();
  /** The pieces of the unfinished line. */
  let open: string[] = [];
  let afterCr = false;
  let name = "";
  let data: string[] = [];

  const dispatch = (): SseEvent[] => {
    const event = { name: name === "" ? "message" : name, data: data.join("\n") };
    name = "";
    data = [];
    return event.data === "" ? [] : [event];
  };

  const readLine = (line: string): SseEvent[] => {
    if (line === "") return dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line.startsWith(" ", colon + 1) ? colon + 2 : colon + 1);
    if (field === "data") data.push(value);
    else if (field === "event") name = value;
    else if (field === "error") {
      // llama.cpp sends errors this way.
      name = "error";
      data.push(value);
    } else if (colon !== 0 && field !== "id" && field !== "retry") onOther(line);
    return [];
  };

  const read = (text: string): SseEvent[] => {
    // The second half of a CRLF that was split.
    const fresh = afterCr && text.startsWith("\n") ? text.slice(1) : text;
    if (text !== "") afterCr = text.endsWith("\r");
    const lines = fresh.split(/\r\n|\r|\n/);
    // Joined only where a line ends, so that a line in many pieces is copied once.
    open.push(lines.shift() ?? "");
    if (lines.length === 0) return [];
    lines.unshift(open.join(""));
    open = [lines.pop() ?? ""];
    return lines.flatMap(readLine);
  };

  return {
    push: (bytes) => read(decoder.decode(bytes, { stream: true })),
    end: () => {
      const events = read(decoder.decode());
      const last = open.join("");
      open = [];
      return [...events, ...(last === "" ? [] : readLine(last)), ...dispatch()];
    },
  };
}
