using static System.FormattableString;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// The ranges of a recorded source and of a recorded second pass. Digests, sizes and names were checked when they were read.
/// </summary>
internal static class RecordedSourceRules
{
    /// <summary>Checks that every value is in range.</summary>
    /// <param name="path">Path of the picture, for messages.</param>
    /// <param name="request">The recorded request.</param>
    /// <exception cref="PictureRecordDamagedException">A value is out of range.</exception>
    public static void Check(string path, PictureRequest request)
    {
        if (request.Source is { } source) CheckSource(path, source);
        if (request.Hires is { } pass) CheckPass(path, pass);
    }

    private static void CheckSource(string path, PictureSource source)
    {
        if (!Enum.IsDefined(source.Fit)) throw new PictureRecordDamagedException(path, "it has an unknown fit of its source");
        PictureRecordRules.CheckShare(path, "strength", source.Strength);
        PictureMargins margins = source.Extend;
        foreach (int margin in (int[])[margins.Left, margins.Top, margins.Right, margins.Bottom])
            PictureRecordRules.CheckWhole(path, "margin", margin, 0, RequestRules.WidestMargin);
        if (source.Mask is not { } mask) return;
        if (!Enum.IsDefined(mask.Content)) throw new PictureRecordDamagedException(path, "it has an unknown masked content");
        PictureRecordRules.CheckWhole(path, "blur of the mask", mask.Blur, 0, RequestRules.WidestBlur);
        if (mask.OnlyMaskedPadding is { } padding)
            PictureRecordRules.CheckWhole(path, "padding of the mask", padding, 0, RequestRules.WidestPadding);
    }

    private static void CheckPass(string path, HiresPass pass)
    {
        // The negated pattern also refuses NaN.
        if (!(pass.Scale is > 1 and <= HiresRules.LargestScale))
            throw new PictureRecordDamagedException(path, Invariant($"its second pass has the scale {pass.Scale}"));
        PictureRecordRules.CheckShare(path, "strength of the second pass", pass.Strength);
        if (pass.Steps is { } steps)
            PictureRecordRules.CheckWhole(path, "number of steps of the second pass", steps, 1, RequestRules.MostSteps);
        if (pass.GuidanceScale is { } guidance && !float.IsFinite(guidance))
            throw new PictureRecordDamagedException(path, "the guidance scale of its second pass is not finite");
        if (pass.Schedule is { } schedule && !Enum.IsDefined(schedule.Spacing))
            throw new PictureRecordDamagedException(path, "its second pass has an unknown schedule");
    }
}
