using System.Runtime.Intrinsics;

namespace MuseAtelier.Sampling;

/// <summary>What a step of <see cref="BrownianDraw"/> does with the increment over a node.</summary>
internal enum BrownianTurn
{
    /// <summary>Draws the increment over the root.</summary>
    Root,

    /// <summary>Goes on with the lower child.</summary>
    Lower,

    /// <summary>Goes on with the upper child.</summary>
    Upper,

    /// <summary>Goes on with the lower child, and keeps the upper one for <see cref="EndOfLower"/>.</summary>
    Fork,

    /// <summary>Goes on with the lower child; the upper one lies in the interval.</summary>
    KeepUpper,

    /// <summary>Goes on with the upper child; the lower one lies in the interval.</summary>
    AddLower,

    /// <summary>The node is the interval.</summary>
    End,

    /// <summary>The node is the lowest part of the interval. Goes on with the upper child of the fork.</summary>
    EndOfLower,

    /// <summary>The node is the highest part of the interval.</summary>
    EndOfUpper,
}

/// <summary>One step on the way from the root of a Brownian tree to the nodes that an interval consists of.</summary>
/// <param name="Turn">What it does.</param>
/// <param name="Slot">The slot that holds the node's normal numbers; without meaning at an end.</param>
/// <param name="Lower">The length of the lower child.</param>
/// <param name="Reciprocal">The reciprocal of the node's length.</param>
/// <param name="Deviation">The standard deviation of the lower child's increment, given the node's.</param>
internal readonly record struct BrownianStep(
    BrownianTurn Turn, int Slot = 0, float Lower = 0, float Reciprocal = 0, float Deviation = 0)
{
    /// <summary>The step that divides a node.</summary>
    public static BrownianStep Of(BrownianTurn turn, in BrownianNode node, int slot)
    {
        // In double, as torchsde computes them (brownian_interval.py, _increment_and_space_time_levy_area). torch rounds a factor to fp32.
        double lower = node.Middle - node.Start;
        double reciprocal = 1 / (node.End - node.Start);
        double variance = lower * (node.End - node.Middle) * reciprocal;
        return new BrownianStep(turn, slot, (float)lower, (float)reciprocal, (float)Math.Sqrt(variance));
    }

    /// <summary>
    /// Computes the increments over both children. Products and sums are rounded one by one as in torch, and not fused.
    /// </summary>
    /// <param name="node">The increment over the node.</param>
    /// <param name="normal">The node's normal numbers, as many.</param>
    /// <param name="lower">Receives the increment over the lower child; may be <paramref name="node"/>.</param>
    /// <param name="upper">Receives the increment over the upper child; may be <paramref name="node"/>.</param>
    public void Divide(ReadOnlySpan<float> node, ReadOnlySpan<float> normal, Span<float> lower, Span<float> upper)
    {
        int i = 0;
        for (; i + Vector256<float>.Count <= node.Length; i += Vector256<float>.Count)
        {
            Vector256<float> whole = Vector256.Create(node[i..]);
            Vector256<float> low = whole * Lower * Reciprocal + Vector256.Create(normal[i..]) * Deviation;
            low.CopyTo(lower[i..]);
            (whole - low).CopyTo(upper[i..]);
        }

        for (; i < node.Length; i++)
        {
            float whole = node[i], low = whole * Lower * Reciprocal + normal[i] * Deviation;
            lower[i] = low;
            upper[i] = whole - low;
        }
    }
}
