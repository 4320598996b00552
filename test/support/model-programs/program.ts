/** Where a program of a model API goes, and with which key. */
export interface Place {
  /** Without `/v1` at the end: `https://api.example.com` or `http://127.0.0.1:8443/c/openai`. */
  readonly url: string;
  readonly apiKey: string;
}

/** A piece of a user's program: what it asks of a provider and gets back, the same whatever lies in between. */
export interface ModelProgram {
  readonly name: string;
  readonly provider: 'openai' | 'anthropic';
  /** Its upstream breaks the connection: direct that is the network's error, through hoop one that hoop tells of. */
  readonly broken?: true;
  run(place: Place): Promise<unknown>;
}

interface ApiErrorLike {
  readonly status?: number;
  readonly code?: string | null;
  readonly type?: string | null;
  readonly message?: string;
  readonly error?: unknown;
}

/** What a call gave, or the exception that the SDK made of it. */
export async function outcomeOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return { value: await call() };
  } catch (error) {
    const { status, code, type, message, error: body } = error as ApiErrorLike;
    const exception = (error as object).constructor.name;
    // Without a status it is the network's: its words name ports and differ from run to run.
    return status === undefined ? { exception } : { exception, status, code, type, message, body };
  }
}

/** What has to be the same on every way: of a broken upstream what came before, and that it ended in an exception. */
export async function comparable(program: ModelProgram, place: Place): Promise<unknown> {
  const result = await program.run(place);
  if (program.broken === undefined) return result;
  const { value, exception } = result as { readonly value?: { readonly items?: unknown }; readonly exception?: string };
  return { items: value?.items, failed: exception !== undefined || JSON.stringify(value).includes('Error') };
}

/** Everything that a stream gave, and what ended it. */
export async function collected<T>(stream: AsyncIterable<T>): Promise<unknown> {
  const items: T[] = [];
  const end = await outcomeOf(async () => {
    for await (const item of stream) items.push(item);
  });
  return { items, end };
}
