/** An answer that is sent as it is made: its content type, and the name of the file that a browser saves. */
export interface Streamed {
  readonly contentType: string;
  readonly file: string;
  readonly text: AsyncGenerator<string>;
}

/** The answer of a streaming route; what fails before the first text is thrown, so that it becomes a problem document. */
export async function streamedResponse({ contentType, file, text }: Streamed): Promise<Response> {
  const first = await text.next();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      if (!first.done) controller.enqueue(Buffer.from(first.value));
    },
    pull: async (controller) => {
      const next = await text.next();
      if (next.done) controller.close();
      else controller.enqueue(Buffer.from(next.value));
    },
    // Whoever asked has gone: the session behind it is closed.
    cancel: async () => {
      await text.return(undefined);
    },
  });
  return new Response(body, {
    headers: { "content-type": contentType, "content-disposition": `attachment; filename="${file}"` },
  });
}
