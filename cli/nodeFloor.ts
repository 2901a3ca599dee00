// The oldest Node of each line whose HTTP parser shows every header it frames with.

const floors = [
  [22, 23, 2],
  [24, 18, 1],
  [26, 5, 1],
] as const;

/** One sentence when this Node must not run Gate, else null. */
export function nodeRefusal(version: string): string | null {
  const [major = 0, minor = 0, patch = 0] = version.replace(/^v/, '').split('.').map(Number);
  const floor = floors.find(([line]) => line === major);
  const isFine = floor === undefined ? major > 26 : minor > floor[1] || (minor === floor[1] && patch >= floor[2]);
  if (isFine) return null;
  return `Cannot start: Node 22.23.2, 24.18.1, 26.5.1 or a later one of these lines is needed, found ${version}; older ones hide headers from Gate`;
}
