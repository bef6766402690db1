/** The part of seek-bzip that is used here. */
declare module 'seek-bzip' {
  class Stream {
    /** The next byte, or -1 at the end. */
    readByte(): number;
    writeByte(byte: number): void;
  }
  const Bunzip: {
    Stream: typeof Stream;
    /** Throws a `TypeError`. `multistream`: further streams behind the first are decoded, too. */
    decode(input: Stream, output: Stream, multistream?: boolean): void;
  };
  export default Bunzip;
}
