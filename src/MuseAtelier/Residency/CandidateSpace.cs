namespace MuseAtelier.Residency;

/// <summary>
/// All plans that are worth considering for one kind of picture: each number of pictures in a batch, with each placement of weights, each
/// run mode and each way to decode. None of them depends on the budget.
/// </summary>
internal static class CandidateSpace
{
    /// <summary>
    /// The most pinned memory that the sets of prompts of a batch take where the plan chooses the batch. A card's budget does not count it.
    /// </summary>
    public const long MostPinnedSetBytes = 4L << 30;

    /// <summary>The candidates with nothing swapped out, sorted by their time; candidates of equal time in the order above.</summary>
    /// <param name="model">The model's sizes.</param>
    /// <param name="request">The pictures; their budget is ignored.</param>
    /// <param name="device">The costs of the device.</param>
    /// <param name="decoder">The name of the component that decodes.</param>
    /// <param name="time">The time of a candidate.</param>
    public static PlanCandidate[] Of(ModelSizes model, ResidencyRequest request, DeviceProfile device, string decoder, PlanTime time)
    {
        int least = request.BatchSize ?? 1;
        int most = request.BatchSize ?? request.LargestBatch;
        BatchChoice[] batches =
        [
            .. Enumerable.Range(least, most - least + 1)
                .Select(pictures => new BatchChoice(model, request, device, pictures))
                .Where(batch => batch.Pictures == least || device.MapsWeights || batch.Memory.PromptSetBytes <= MostPinnedSetBytes),
        ];
        IReadOnlyList<TileChoice> tiles = TileChoices.For(model, request, decoder, TileChoices.SmallestSide, device);
        IEnumerable<PlanCandidate> candidates =
            from batch in batches
            from conditioning in batch.Conditionings
            from unet in batch.UNets
            from mode in unet.Modes
            let seconds = time.Seconds(batch, conditioning, unet, mode)
            from tile in tiles
            select new PlanCandidate(batch, conditioning, unet, mode, tile, seconds + time.TileSeconds(batch, tile, mode));
        return [.. candidates.OrderBy(candidate => candidate.Seconds)];
    }
}
