/** What came of asking for one artifact. */
export type Answer =
  | { readonly verdict: 'there'; readonly says: string }
  /** There, in a form that not every Docker takes: manifest schema 1. */
  | { readonly verdict: 'schema 1'; readonly says: string }
  /** Asked and told no. */
  | { readonly verdict: 'missing'; readonly says: string }
  /** No word that counts: no network, no time, a server in trouble. */
  | { readonly verdict: 'unknown'; readonly says: string; readonly remedy?: string }
  /** Nothing that can be asked without an account or a package manager. */
  | { readonly verdict: 'not asked'; readonly says: string };

/** What a status says that is the same for files and manifests; undefined for one that is fine. */
export function refusal(status: number): Answer | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status === 404 || status === 410) return { verdict: 'missing', says: `${status}: there is none` };
  if (status === 401 || status === 403)
    return { verdict: 'missing', says: `${status}: there is none, or none for everybody` };
  if (status === 429) return { verdict: 'unknown', says: '429: asked too often', remedy: 'again in some hours' };
  return { verdict: 'unknown', says: `${status}: no answer that counts` };
}
