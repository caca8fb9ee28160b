using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda;

/// <summary>A call of CUDA's runtime or driver failed.</summary>
public sealed class CudaException : MuseAtelierException
{
    private const string Unknown =
        "If it happens again, restart the program; 'muse doctor' shows whether driver, CUDA and cuDNN fit together.";

    private CudaException(string call, int code, string codeName, string text)
        : base(
            FormattableString.Invariant($"CUDA's {call} failed with {codeName} ({code}): {text}"),
            "success",
            CudaRemedies.Find(code) ?? Unknown) =>
        (Call, Code, CodeName) = (call, code, codeName);

    /// <summary>The call that failed.</summary>
    public string Call { get; }

    /// <summary>CUDA's number of the error.</summary>
    public int Code { get; }

    /// <summary>CUDA's name of the error.</summary>
    public string CodeName { get; }

    internal static CudaException OfRuntime(string call, int code) =>
        new($"cuda{call}", code, CudaRuntime.Name(code), CudaRuntime.Text(code));

    internal static CudaException OfDriver(string call, int code) => new(call, code, CudaDriver.Name(code), CudaDriver.Text(code));
}

/// <summary>A part that CUDA needs is missing, or its version does not fit. Thrown before anything of a package is loaded.</summary>
public sealed class CudaPartException : MuseAtelierException
{
    internal CudaPartException(CudaPart part)
        : base($"{part?.Name}: {part?.Found}", part?.Expected ?? "", part?.Remedy ?? "") =>
            Part = part ?? throw new ArgumentNullException(nameof(part));

    /// <summary>The part.</summary>
    public CudaPart Part { get; }
}

/// <summary>There is no NVIDIA card with the requested number.</summary>
public sealed class CudaCardMissingException : MuseAtelierException
{
    private const string MakeVisible =
        "Paint on the processor (CpuBackend.Create; muse: --device cpu), or make the card visible (CUDA_VISIBLE_DEVICES, --gpus for "
        + "containers; a card that is split by MIG needs an instance).";

    internal CudaCardMissingException(int card, int count)
        : base(
            count == 0 ? "no NVIDIA card was found" : FormattableString.Invariant($"there is no card {card}, the last is {count - 1}"),
            count == 0 ? "an NVIDIA card" : "the number of a card",
            count == 0 ? MakeVisible : "Choose another card.") =>
            Card = card;

    /// <summary>The requested card's number.</summary>
    public int Card { get; }
}

/// <summary>The card is too old for CUDA and ONNX Runtime.</summary>
public sealed class CudaCardTooOldException : MuseAtelierException
{
    internal CudaCardTooOldException(CudaCard card)
        : base(
            $"{card?.Name} has compute capability {card?.ComputeCapability}",
            $"{CudaDiagnosis.LeastComputeCapability} or newer (GeForce RTX 20, GTX 16, Tesla T4 and later)",
            "Paint on the processor (CpuBackend.Create; muse: --device cpu), or use a newer card.") =>
            Card = card ?? throw new ArgumentNullException(nameof(card));

    /// <summary>The card.</summary>
    public CudaCard Card { get; }
}
