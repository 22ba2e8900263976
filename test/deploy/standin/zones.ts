/** Not every region counts from a; the others are taken to have a, b and c. */
const oddZones: Readonly<Record<string, string>> = {
  'us-central1': 'abcf',
  'us-east1': 'bcd',
  'europe-west1': 'bcd',
};

export const zonesOf = (region: string): string[] =>
  Array.from(oddZones[region] ?? 'abc').map((letter) => `${region}-${letter}`);
