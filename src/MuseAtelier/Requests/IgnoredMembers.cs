namespace MuseAtelier;

/// <summary>Finds the members of a request that have no effect because of its other members.</summary>
internal static class IgnoredMembers
{
    private static readonly PictureRequest Usual = new() { Prompt = "" };

    /// <summary>One sentence for each such member that does not have its usual value.</summary>
    /// <param name="request">A request in range.</param>
    public static IEnumerable<string> Of(PictureRequest request)
    {
        if (request.Eta is not null && request.Sampler.IgnoresEta) yield return $"The sampler {request.Sampler} has no eta; it is ignored.";
        // ComfyUI's ddim is Euler's method.
        else if (request is { Eta: not null, Dialect: SamplingDialect.Comfy } && request.Sampler == SamplerName.Ddim)
            yield return "The sampler ddim has no eta in ComfyUI's dialect; it is ignored.";
        if (request.PromptSyntax != PromptSyntax.A1111)
        {
            if (request.Emphasis != Usual.Emphasis) yield return "The emphasis is ignored: it acts in the prompt syntax a1111 only.";
            if (request.CommaBacktrack != Usual.CommaBacktrack)
                yield return "The comma backtrack is ignored: it acts in the prompt syntax a1111 only.";
        }

        if (request is { VariationSeed: not 0, VariationStrength: 0 })
            yield return "The variation seed is ignored: the variation strength is 0.";
        if (request.IsGuided) yield break;
        if (request.GuidanceRescale != 0) yield return "Rescaling the guidance is ignored: with a guidance scale of 0 or 1 there is none.";
        if (request.GuidanceFrom != 0 || request.GuidanceTo != 1)
            yield return "The guidance interval is ignored: with a guidance scale of 0 or 1 there is no guidance.";
    }
}
