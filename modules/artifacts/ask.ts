/** One request, with a limit of time, and every way in which it can fail in words. */

export interface Request {
  readonly method: 'HEAD' | 'GET';
  readonly headers?: Readonly<Record<string, string>>;
  /** From the first packet to the end of the answer, redirects included. Milliseconds. */
  readonly timeoutMs: number;
}

/** Nobody answered, or nobody whom TLS lets us believe. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string) {
    super(message);
    this.remedy = remedy;
  }
}

/** Follows redirects. @throws NoAnswer */
export async function ask(url: string, { method, headers = {}, timeoutMs }: Request): Promise<Response> {
  try {
    return await fetch(url, { method, headers, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    throw noAnswer(error, url, timeoutMs);
  }
}

/** The JSON that a response carries; undefined where it carries something else. @throws NoAnswer */
export async function json(response: Response, timeoutMs: number): Promise<unknown> {
  let text: string;
  try {
    text = await response.text();
  } catch (error) {
    throw noAnswer(error, response.url, timeoutMs);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const words: Readonly<Record<string, string>> = {
  ENOTFOUND: 'nobody knows the name',
  EAI_AGAIN: 'names cannot be looked up',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to its network',
  UND_ERR_SOCKET: 'the connection was cut',
};

/** Codes of OpenSSL for a certificate that no authority we know vouches for. */
const untrusted = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

/** fetch says only "fetch failed"; what failed is its cause. */
function noAnswer(error: unknown, url: string, timeoutMs: number): NoAnswer {
  const { host } = new URL(url);
  if (error instanceof Error && error.name === 'TimeoutError')
    return new NoAnswer(`${host} gave no answer within ${timeoutMs / 1000} s`);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (/TIMEDOUT|_TIMEOUT$/.test(code)) return new NoAnswer(`${host} gave no answer in time`);
  if (untrusted.includes(code)) {
    return new NoAnswer(
      `TLS: no authority that this machine knows vouches for ${host} (${code})`,
      'NODE_EXTRA_CA_CERTS=FILE.pem before the command, with the authority of your mirror or registry',
    );
  }
  const message = cause instanceof Error ? cause.message.split('\n')[0]! : String(cause);
  if (/CERT|SSL|TLS|EPROTO/.test(code)) return new NoAnswer(`TLS: ${host}: ${message} (${code})`);
  return new NoAnswer(`${host}: ${words[code] ?? message}`);
}
