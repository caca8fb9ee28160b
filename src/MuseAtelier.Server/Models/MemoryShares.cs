namespace MuseAtelier.Server.Models;

/// <summary>
/// Decides whether the declared budget holds all models at the same time. If it does, each has a share of its own, in which a picture of
/// 2048x2048 px can be painted, or the largest that the server accepts if that is smaller, so that together they never take more than the
/// budget. A larger picture is planned within the share, and refused if it does not fit.
/// </summary>
internal static class MemoryShares
{
    /// <summary>The shares in bytes by the models' ids; null if one model alone may be open.</summary>
    /// <param name="models">The models that can be opened.</param>
    /// <param name="options">The options of an atelier that has the whole budget.</param>
    /// <param name="limits">The limits of requests.</param>
    public static IReadOnlyDictionary<string, long>? Of(
        IReadOnlyList<ShelfModel> models, AtelierOptions options, ServerLimits limits)
    {
        if (models.Count < 2 || options.DeclaredBudget is not { } budget) return null;
        var needed = new Dictionary<string, long>();
        long left = budget.Bytes;
        foreach (ShelfModel model in models)
        {
            if (Needed(model, options, limits) is not { } bytes || bytes > left) return null;
            needed.Add(model.Id, bytes);
            left -= bytes;
        }

        return needed.ToDictionary(pair => pair.Key, pair => pair.Value + left / needed.Count);
    }

    private static long? Needed(ShelfModel model, AtelierOptions options, ServerLimits limits)
    {
        const int step = 64, most = 2048;
        int side = Math.Min(most, (int)Math.Sqrt(limits.Pixels) / step * step);
        try
        {
            var largest = new PictureRequest { Prompt = "", Width = side, Height = side };
            return Atelier.Plan(model.Path, options, largest).PeakBytes;
        }
        catch (MuseAtelierException)
        {
            return null;
        }
    }
}
