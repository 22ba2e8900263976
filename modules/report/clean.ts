import { stripVTControlCharacters } from 'node:util';

// Control characters, lone surrogates and noncharacters are illegal in XML and dangerous on a terminal; directional
// overrides make a name look like another one.
const harmful = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\p{Cs}/gu;

/** Text of one line that is safe to print anywhere: escape sequences and characters that nobody can see are gone. */
export function clean(text: string): string {
  return stripVTControlCharacters(text.replace(/[\n\t\u2028\u2029]+/g, ' ')).replace(harmful, '');
}
