// Requests. Each has the key of the session in a header, which no other site can add.

let key = null;
try {
  key = localStorage.getItem("console-key");
} catch {
  // Without storage, one signs in once for each page load.
}

export class ApiError extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export const isSignedIn = () => key !== null;

function keep(value) {
  key = value;
  try {
    if (value === null) localStorage.removeItem("console-key");
    else localStorage.setItem("console-key", value);
  } catch {
    // See above.
  }
}

let onSignedOut = () => {};

/** Call a function when a session has ended. */
export function whenSignedOut(call) {
  onSignedOut = call;
}

async function send(method, path, { query, body, signal } = {}) {
  const fields = Object.entries(query ?? {}).filter(([, v]) => v !== null && v !== undefined && v !== "");
  const search = new URLSearchParams(fields).toString();
  const headers = {};
  if (key !== null) headers["X-Console-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`/api/${path}${search ? `?${search}` : ""}`, {
      method, headers, signal, credentials: "same-origin", cache: "no-store",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The console does not respond; its broker may be down.");
  }
  if (response.ok) return response;
  let sentence = `The console responded with ${response.status}.`;
  try {
    sentence = (await response.json()).error ?? sentence;
  } catch {
    // A proxy in between may send something else than JSON.
  }
  if (response.status === 401 && path !== "session") {
    keep(null);
    onSignedOut();
  }
  throw new ApiError(response.status, sentence);
}

export const get = async (path, query, signal) => (await send("GET", path, { query, signal })).json();
export const post = async (path, body) => (await send("POST", path, { body })).json();
export const patch = async (path, body) => (await send("PATCH", path, { body })).json();
export const remove = async (path, query) => (await send("DELETE", path, { query })).json();

export async function signIn(token) {
  const session = await post("session", { token });
  keep(session.key);
}

export async function signOut() {
  try {
    await send("DELETE", "session");
  } finally {
    keep(null);
    onSignedOut();
  }
}

/** Call a function with each line of a stream, until it ends or is aborted. */
export async function stream(path, query, signal, online) {
  const response = await send("GET", path, { query, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) online(JSON.parse(line));
  }
}
