namespace MuseAtelier.Sampling;

/// <summary>Normal numbers that a draw needs and that no slot holds yet.</summary>
/// <param name="Slot">The slot that receives them.</param>
/// <param name="Key">The node's index among the nodes of its depth.</param>
/// <param name="Depth">The node's depth; null for the increment over the root.</param>
internal readonly record struct BrownianFill(int Slot, ulong Key, int? Depth);

/// <summary>One draw of Brownian noise: the same for all pictures of a batch, because it depends on noise levels alone.</summary>
/// <param name="Steps">The way to the nodes that the interval consists of; empty for an interval of no length, whose noise is 0.</param>
/// <param name="Fills">The normal numbers to draw before.</param>
/// <param name="Divisor">
/// The divisor that makes the increment standard normal, and negative where the noise level falls (k-diffusion, BatchedBrownianTree).
/// </param>
internal sealed record BrownianDraw(BrownianStep[] Steps, BrownianFill[] Fills, float Divisor);
