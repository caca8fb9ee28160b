using static System.FormattableString;

namespace MuseAtelier;

/// <summary>The enlarged picture would have more pixels than a picture can have.</summary>
public sealed class UpscaleSizeException : MuseAtelierException
{
    internal UpscaleSizeException(int width, int height, int scale)
        : base(
            Invariant($"{width}x{height} px enlarged {scale} times are {(long)width * scale}x{(long)height * scale} px"),
            Invariant($"at most {SourceImage.MostPixels:N0} px"),
            "Enlarge a smaller picture, or take an upscaler with a smaller factor.")
    {
        Width = width;
        Height = height;
        Scale = scale;
    }

    /// <summary>Width of the picture in px.</summary>
    public int Width { get; }

    /// <summary>Height of the picture in px.</summary>
    public int Height { get; }

    /// <summary>The factor of the upscaler.</summary>
    public int Scale { get; }
}

/// <summary>The budget is too small even for the smallest tiles of an upscaler.</summary>
public sealed class UpscalerBudgetException : MuseAtelierException
{
    internal UpscalerBudgetException(string upscaler, long budgetBytes, long leastBytes)
        : base(
            $"the budget is {ByteSize.Format(budgetBytes)}",
            $"at least {ByteSize.FormatUp(leastBytes)} for the upscaler {upscaler}",
            "Give a larger budget, or take a smaller upscaler.")
    {
        BudgetBytes = budgetBytes;
        LeastBytes = leastBytes;
    }

    /// <summary>The budget in bytes.</summary>
    public long BudgetBytes { get; }

    /// <summary>The least budget in bytes.</summary>
    public long LeastBytes { get; }
}
