/** Forms of strings that need more than a regular expression, by the `format` that the schema calls them. */
import { isAddress4, isAddress6, readRange } from '../range.ts';

const dnsName = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i;

export const formats: Readonly<Record<string, (text: string) => boolean>> = {
  cidr: (text) => !('fault' in readRange(text)),
  cidr4: (text) => {
    const found = readRange(text);
    return !('fault' in found) && found.family === 4;
  },
  address4: isAddress4,
  host: (text) => isAddress4(text) || isAddress6(text) || dnsName.test(text),
};
