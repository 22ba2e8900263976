/** Whether a registry has an image, and in which form. Source: the Docker Registry HTTP API v2 and its token page. */
import { parseReference } from '../release/reference.ts';
import type { Answer } from './answer.ts';
import { refusal } from './answer.ts';
import { ask, json } from './ask.ts';

const schema1 = [
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  'application/vnd.docker.distribution.manifest.v1+json',
];
const forms: Readonly<Record<string, string>> = {
  'application/vnd.oci.image.index.v1+json': 'OCI index',
  'application/vnd.oci.image.manifest.v1+json': 'OCI manifest',
  'application/vnd.docker.distribution.manifest.list.v2+json': 'list of schema 2',
  'application/vnd.docker.distribution.manifest.v2+json': 'schema 2',
};
/** A registry that has schema 1 only would else answer 404, as if there were nothing. */
const accept = [...Object.keys(forms), ...schema1.map((form) => `${form};q=0.1`)].join(', ');

/** @throws NoAnswer */
export async function manifest(reference: string, timeoutMs: number): Promise<Answer> {
  const url = manifestUrl(reference);
  const get = (headers: Record<string, string>, method: 'HEAD' | 'GET' = 'HEAD') =>
    ask(url, { method, headers: { accept, ...headers }, timeoutMs });
  let login = {};
  let response = await get(login);
  if (response.status === 401) {
    const token = await anonymousToken(response.headers.get('www-authenticate') ?? '', timeoutMs);
    if (typeof token !== 'string') return token;
    login = { authorization: `Bearer ${token}` };
    response = await get(login);
  }
  // HEAD costs nothing of Docker Hub's rate limit, but not every registry knows it or says the type.
  if (response.status === 405 || (response.ok && formOf(response) === undefined)) {
    response = await get(login, 'GET');
    await response.body?.cancel();
  }
  const no = refusal(response.status);
  if (no) return no;
  const form = formOf(response) ?? 'of no type';
  if (schema1.includes(form)) return { verdict: 'schema 1', says: 'manifest schema 1' };
  if (form in forms) return { verdict: 'there', says: `there, ${forms[form]!}` };
  return { verdict: 'unknown', says: `an answer that is no manifest, ${form}` };
}

const formOf = (response: Response) => response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();

/** Docker asks loopback addresses by plain http, and so do we; a name of one part at Docker Hub lies under library/. */
export function manifestUrl(reference: string): string {
  const { registry, repository, tag, digest } = parseReference(reference);
  const hub = registry === undefined || registry === 'docker.io' || registry === 'index.docker.io';
  const host = hub ? 'registry-1.docker.io' : registry;
  const path = hub && !repository.includes('/') ? `library/${repository}` : repository;
  const scheme = /^(localhost|127\.[0-9.]+)(:|$)/.test(host) ? 'http' : 'https';
  return `${scheme}://${host}/v2/${path}/manifests/${digest ?? tag ?? 'latest'}`;
}

/** The token that a registry gives to everybody, as its challenge says where. */
async function anonymousToken(challenge: string, timeoutMs: number): Promise<string | Answer> {
  const parts = Object.fromEntries(
    [...challenge.matchAll(/([a-z]+)="([^"]*)"/gi)].map(([, key, value]) => [key!.toLowerCase(), value!]),
  );
  const realm = parts['realm'];
  if (!/^bearer /i.test(challenge) || realm === undefined || !URL.canParse(realm))
    return { verdict: 'missing', says: 'the registry wants a login' };
  const url = new URL(realm);
  for (const key of ['service', 'scope']) {
    const value = parts[key];
    if (value !== undefined) url.searchParams.set(key, value);
  }
  const response = await ask(url.href, { method: 'GET', timeoutMs });
  const no = refusal(response.status);
  if (no) {
    await response.body?.cancel();
    return no.verdict === 'missing' ? { ...no, says: 'the registry wants a login' } : no;
  }
  const body = await json(response, timeoutMs);
  const { token, access_token: other } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  const found = token ?? other;
  return typeof found === 'string' ? found : { verdict: 'unknown', says: 'the registry gave no token' };
}
