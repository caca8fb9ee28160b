using MuseAtelier.Residency;

namespace MuseAtelier;

/// <summary>Plans where weights are and how pictures are decoded, so that a budget is kept. Pure: the same question has the same answer.</summary>
public static class ResidencyPlanner
{
    /// <summary>The fastest plan within the budget.</summary>
    /// <param name="model">The model's sizes.</param>
    /// <param name="request">The pictures and their budget.</param>
    /// <param name="device">What the device costs.</param>
    /// <exception cref="BudgetTooSmallException">No plan keeps the budget; the exception names the least that one would keep.</exception>
    /// <exception cref="PictureRequestException">The pictures asked for are out of range.</exception>
    public static ResidencyPlan Plan(ModelSizes model, ResidencyRequest request, DeviceProfile device)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(device);
        OptionRules.Check(request);
        ArgumentOutOfRangeException.ThrowIfLessThan(request.Count, 1);
        if (request.BatchSize is { } pictures) ArgumentOutOfRangeException.ThrowIfNotEqual(pictures, Math.Clamp(pictures, 1, Math.Min(request.Count, BatchSlot.LargestBatch)));
        return new ResidencySearch(model, request, device).Plan(request.Budget);
    }

    /// <summary>The budget where none was given: <see cref="ResidencyRequest.DefaultBudget"/>, or what is free if that is less.</summary>
    /// <param name="freeBytes">Bytes that the device has free.</param>
    public static long DefaultBudget(long freeBytes) => Math.Min(ResidencyRequest.DefaultBudget, freeBytes);
}

/// <summary>No plan keeps the budget.</summary>
public sealed class BudgetTooSmallException(ResidencyRequest request, long leastBytes, string memory)
    : MuseAtelierException(
        $"the budget is {ByteSize.Format(request.Budget)} of {memory}",
        $"at least {ByteSize.FormatUp(leastBytes)} for {request.Width}x{request.Height} px{(request.BatchSize > 1 ? $", {request.BatchSize} at a time" : "")}{(request.Offload == OffloadMode.Auto ? "" : $" with offload mode {request.Offload}")}",
        $"Give more, {(request.BatchSize > 1 ? "paint fewer at a time, " : "")}{(request.Offload is OffloadMode.Auto or OffloadMode.Sessions ? "or paint a smaller picture." : "paint a smaller picture, or let the offload mode be chosen (auto).")}")
{
    /// <summary>What was asked for.</summary>
    public ResidencyRequest Request { get; } = request;

    /// <summary>The least budget that can be kept, in bytes; with it, a plan exists.</summary>
    public long LeastBytes { get; } = leastBytes;
}
