namespace MuseAtelier;

/// <summary>What can be painted. Nothing is repaired silently: what is out of range is refused, with the nearest that would do.</summary>
internal static class RequestRules
{
    public const int SizeMultiple = 8;
    public const int SmallestSide = 256;
    public const int LargestSide = 2048;
    public const int MostSteps = 1000;
    public const float LargestGuidanceScale = 100;

    public static void Check(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request.Prompt);
        ArgumentNullException.ThrowIfNull(request.NegativePrompt);
        CheckFrame(request.Frame);
        CheckSize(request.Width, request.Height);
        CheckSteps(request.Steps);

        // Written so that NaN fails.
        if (!(request.GuidanceScale is >= 1 and <= LargestGuidanceScale)) throw new GuidanceScaleException(request.GuidanceScale);
    }

    public static void CheckSize(int width, int height)
    {
        if (!IsSide(width) || !IsSide(height)) throw new PictureSizeException(width, height);
    }

    public static void CheckSteps(int steps)
    {
        if (steps is < 1 or > MostSteps) throw new StepCountException(steps);
    }

    private static void CheckFrame(PictureFrame? frame)
    {
        if (frame is not null && !(Enum.IsDefined(frame.Style) && Enum.IsDefined(frame.Placement))) throw new FrameException(frame);
    }

    private static bool IsSide(int size) => size is >= SmallestSide and <= LargestSide && size % SizeMultiple == 0;
}
