namespace MuseAtelier.Checking;

/// <summary>The noise of torchsde's BrownianTree: <c>brownian.SEED</c> and <c>brownian_large.SEED</c>.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Seed">The seed.</param>
internal sealed record BrownianCase(string Name, ulong Seed) : RecordedCase(Name)
{
    /// <inheritdoc/>
    public override SamplerCase Run(SamplerValues values)
    {
        _ = values.Floats(Name);
        return Refuse("no such noise: a Brownian tree");
    }
}
