namespace MuseAtelier.Format;

/// <summary>The custom operators of a package's graphs, beside those of ONNX and ONNX Runtime. The host provides their kernels.</summary>
internal static class OperatorNames
{
    /// <summary>The domain of the operators.</summary>
    public const string Domain = "museatelier";

    /// <summary>
    /// fp16: x [n, h, w, c], scale and offset [c] fp32, residual [n, h, w, c] or [n, c] (optional), bias [c] (optional) to the group norm
    /// of their sum, and (optional) the sum. Attributes: epsilon, silu (0 or 1).
    /// </summary>
    public const string GroupNorm = "GroupNorm";

    /// <summary>The same in fp32.</summary>
    public const string GroupNorm32 = "GroupNorm32";

    /// <summary>fp16: x [n, s, 2 w], bias [2 w] to [n, s, w]: with h = x + bias, the first half of h times gelu of the second.</summary>
    public const string Gate = "Gate";

    /// <summary>
    /// x [n, s, c] fp16, residual [n, s, c] fp32, bias [c] fp16, scale and offset [c] fp32 to the layer norm of x + bias + residual in
    /// fp16, and that sum in fp32. Attribute: epsilon.
    /// </summary>
    public const string ResidualLayerNorm = "ResidualLayerNorm";

    /// <summary>x [n, s, c] fp16 + bias [c] fp16 + residual [n, s, c] fp32, in fp16: the end of a residual stream.</summary>
    public const string StreamSum = "StreamSum";

    /// <summary>fp16: x [.., c] + bias [c] + residual [.., c].</summary>
    public const string BiasedSum = "BiasedSum";

    /// <summary>The same in fp32.</summary>
    public const string BiasedSum32 = "BiasedSum32";
}
