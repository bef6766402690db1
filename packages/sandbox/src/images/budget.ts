/** What one guest's file system may cost the host: bytes that guests wrote, and nodes. */
export class Budget {
  private bytesUsed = 0;
  private nodesUsed = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly maxNodes: number,
  ) {}

  get bytesLeft(): number {
    return this.maxBytes - this.bytesUsed;
  }

  /** False, and nothing taken, if there is not enough. Negative amounts give back. */
  takeBytes(count: number): boolean {
    if (count > this.bytesLeft) return false;
    this.bytesUsed += count;
    return true;
  }

  takeNode(): boolean {
    if (this.nodesUsed >= this.maxNodes) return false;
    this.nodesUsed++;
    return true;
  }

  releaseNode(): void {
    this.nodesUsed--;
  }
}
