import type { Answer } from './answer.ts';
import { refusal } from './answer.ts';
import { ask } from './ask.ts';

/** Servers that do not know HEAD, or for which a signed address is good for GET only. */
const headRefused = [400, 401, 403, 405, 501];

/** Whether a file is there, by HEAD, or where that is refused by its first byte. @throws NoAnswer */
export async function file(url: string, timeoutMs: number): Promise<Answer> {
  let response = await ask(url, { method: 'HEAD', timeoutMs });
  if (headRefused.includes(response.status)) {
    response = await ask(url, { method: 'GET', headers: { range: 'bytes=0-0' }, timeoutMs });
    await response.body?.cancel();
  }
  const no = refusal(response.status);
  if (no) return no;
  // A portal or a mirror's index answers 200 to everything.
  if (response.headers.get('content-type')?.startsWith('text/html'))
    return { verdict: 'missing', says: 'a web page, not a file' };
  const size = /\/([0-9]+)$/.exec(response.headers.get('content-range') ?? '')?.[1] ?? ownSize(response);
  return { verdict: 'there', says: size === undefined ? 'there' : `there, ${megabytes(Number(size))}` };
}

/** The length of an answer is the file's only if it is not a part of it. */
function ownSize(response: Response): string | undefined {
  return response.status === 206 ? undefined : (response.headers.get('content-length') ?? undefined);
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
