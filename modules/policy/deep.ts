/** Readers call themselves for what is nested, so text must not decide how deep they go: no stack is without end. */
export const deepest = 100;

/** Whether a value, as JSON gives it, is nested in more levels than anything of Calico's is. */
export function isDeep(value: unknown, left = deepest): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return left === 0 || Object.values(value).some((one) => isDeep(one, left - 1));
}
