/** Networks that a policy treats alike, as one row and one column: so that the matrix of a hundred can be read. */
/** By network: what passes from the row to the column. Where pairs differ, each text with the number of its pairs. */
export interface ForeseenMatrix {
  readonly networks: readonly string[];
  readonly cells: readonly (readonly string[])[];
}

export interface NetworkGroup {
  /** How it is called in the matrix: `web`, or `web and 3 more`. */
  readonly name: string;
  readonly networks: readonly string[];
}

export interface GroupedMatrix extends ForeseenMatrix {
  readonly groups: readonly NetworkGroup[];
}

/**
 * Two networks are alike when changing their places changes nothing: that holds for any two of a group, so what one of
 * them has to itself, to another of the group, or to anybody else, all of them have.
 */
export function groupNetworks({ networks, cells }: ForeseenMatrix): GroupedMatrix {
  const at = (from: number, to: number): string => cells[from]![to]!;
  const alike = (a: number, b: number): boolean =>
    at(a, a) === at(b, b) &&
    at(a, b) === at(b, a) &&
    networks.every((_, c) => c === a || c === b || (at(a, c) === at(b, c) && at(c, a) === at(c, b)));
  const members: number[][] = [];
  for (const index of networks.keys()) {
    const group = members.find(([first]) => alike(first!, index));
    if (group === undefined) members.push([index]);
    else group.push(index);
  }
  const groups = members.map((group) => {
    const names = group.map((index) => networks[index]!);
    return { name: names.length === 1 ? names[0]! : `${names[0]!} and ${names.length - 1} more`, networks: names };
  });
  const cell = (from: readonly number[], to: readonly number[]): string => {
    const [first, second] = from;
    if (from !== to) return at(first!, to[0]!);
    const own = at(first!, first!);
    const others = second === undefined ? own : at(first!, second);
    return own === others ? own : `own ${own}; others ${others}`;
  };
  return {
    groups,
    networks: groups.map(({ name }) => name),
    cells: members.map((from) => members.map((to) => cell(from, to))),
  };
}
