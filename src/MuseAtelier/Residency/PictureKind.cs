namespace MuseAtelier.Residency;

/// <summary>The properties of a plan that decide the sizes of working memory.</summary>
/// <param name="Width">Width in px.</param>
/// <param name="Height">Height in px.</param>
/// <param name="Rows">Rows of a batch.</param>
/// <param name="UnguidedRows">Rows of a batch outside of the guidance interval; 0 if all evaluations have all rows.</param>
/// <param name="PromptChunks">The number of chunks of tokens.</param>
/// <param name="Frame">The frame.</param>
/// <param name="Decoding">The tiles.</param>
internal readonly record struct PictureKind(
    int Width, int Height, int Rows, int UnguidedRows, int PromptChunks, PictureFrame? Frame, TilePlan Decoding)
{
    /// <summary>The kind of a plan's pictures.</summary>
    public static PictureKind Of(ResidencyPlan plan)
    {
        ResidencyRequest request = plan.Request;
        int rows = plan.BatchSize * request.RowsPerPicture;
        int unguidedRows = request.StepsOfThePromptAlone > 0 ? plan.BatchSize : 0;
        return new PictureKind(request.Width, request.Height, rows, unguidedRows, request.PromptChunks, request.Frame, plan.Decoding);
    }
}

/// <summary>The kinds of pictures whose working memory a plan holds.</summary>
/// <param name="Kind">The only kind, or the smaller pass.</param>
/// <param name="Larger">The larger pass; null if there is one kind.</param>
internal readonly record struct HeldKinds(PictureKind Kind, PictureKind? Larger)
{
    /// <summary>The kinds of a plan: the same ones for both of its passes.</summary>
    public static HeldKinds Of(ResidencyPlan plan)
    {
        var own = PictureKind.Of(plan);
        if (plan.OtherPass is not { } other) return new HeldKinds(own, null);
        bool isLarger = (long)own.Width * own.Height > (long)other.Width * other.Height;
        return isLarger ? new HeldKinds(other, own) : new HeldKinds(own, other);
    }
}
