// A fault in what an operator wrote: one line that says what was found and what is wanted.

export interface ConfigFault {
  readonly fault: string;
}

export function fault(message: string): ConfigFault {
  return { fault: message };
}

export function isFault(value: object): value is ConfigFault {
  return 'fault' in value;
}
