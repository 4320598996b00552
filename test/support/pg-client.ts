import pg from 'pg';

/** A client in a session at a local port; that it is ended from the other side is for its queries to tell. */
export async function openClient(options: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', user: 'x', ssl: false, ...options });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** The error that this work ends with; one of its own where it does not. */
export async function refusal(work: Promise<unknown>): Promise<pg.DatabaseError> {
  try {
    await work;
  } catch (error) {
    return error as pg.DatabaseError;
  }
  throw new Error('was not refused');
}
