/** Answers in the form that we rely on: what is missing or of another type is told, and what else is there is let be. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Static, TSchema } from 'typebox';
import type { Reply } from './http.ts';
import { failed, told, type Told } from './told.ts';

export type Service = 'marathon' | 'mesos';

/** Reads a reply's JSON by a schema. The schema is compiled when the first answer comes. */
export function reader<S extends TSchema>(
  service: Service,
  schema: S,
): (what: string, reply: Reply) => Told<Static<S>> {
  let valid: ValidateFunction | undefined;
  return (what, { body, status }) => {
    let json: unknown;
    try {
      json = JSON.parse(body);
    } catch {
      return failed(unreadable(service, what, `HTTP ${status} and no JSON, but "${excerpt(body)}"`));
    }
    valid ??= new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
    if (valid(json)) return told(json as Static<S>);
    const { instancePath = '', message = '' } = valid.errors?.[0] ?? {};
    return failed(unreadable(service, what, `${instancePath === '' ? 'it' : instancePath} ${message}`));
  };
}

const unreadable = (service: Service, what: string, why: string) => ({
  code: `${service}-answer`,
  what: `the answer to ${what} is not one of ${service === 'marathon' ? 'Marathon' : 'Mesos'}: ${why}.`,
  remedy: 'look whether another program, or a proxy, listens on that port',
});

/** Enough of a page to tell what it is. */
export const excerpt = (text: string): string =>
  text
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 120);
