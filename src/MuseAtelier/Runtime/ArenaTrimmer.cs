using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MuseAtelier.Export.Onnx;
using MuseAtelier.Format;

namespace MuseAtelier.Runtime;

/// <summary>
/// Frees the cached blocks of the arena that sessions share. ONNX Runtime shrinks an arena only at the end of a run, so a graph of one node
/// is run for this purpose, which works whatever else is loaded or has failed.
/// </summary>
internal static class ArenaTrimmer
{
    private const string Part = "making room";

    private static readonly Lazy<byte[]> Graph = new(Build);

    /// <summary>A graph of one operator of ONNX, which every device can load.</summary>
    public static ReadOnlyMemory<byte> SmallestGraph => Graph.Value;

    /// <summary>Shrinks the device's arena. Captured runs must be disposed before, because they hold addresses in the arena.</summary>
    /// <param name="device">The device of the arena.</param>
    /// <exception cref="DeviceMemoryException">The device has no memory left, not even for this run.</exception>
    /// <exception cref="InferenceException">ONNX Runtime failed for another reason.</exception>
    public static void Empty(ExecutionDevice device)
    {
        try
        {
            var traits = new SessionTraits(HasOwnArena: false, SessionArithmetic.Fp32) { UsesCudnn = false };
            using SessionOptions options = device.CreateSessionOptions(traits);
            using var session = new InferenceSession(Graph.Value, options);
            using RunOptions run = device.CreateRunOptions();
            run.AddRunConfigEntry(ComponentRunner.ArenaToTrim, device.Arena);
            using NativeBuffer from = device.Allocate(sizeof(float)), to = device.Allocate(sizeof(float));
            using OrtValue input = Number(from), output = Number(to);
            using OrtIoBinding binding = session.CreateIoBinding();
            binding.BindInput("number", input);
            binding.BindOutput("negative", output);
            session.RunWithBinding(run, binding);
            device.Synchronize();

            OrtValue Number(NativeBuffer memory) =>
                OrtValue.CreateTensorValueWithData(device.Memory, TensorElementType.Float, [1], memory.Address, memory.Bytes);
        }
        catch (OnnxRuntimeException exception)
        {
            throw device.Failure(exception, Part, "failed in", Part);
        }
    }

    private static byte[] Build()
    {
        var graph = new GraphBuilder();
        graph.Input("number", ElementType.F32, [Dimension.Of(1)]);
        graph.Output(graph.Node("Neg", ["number"]), "negative", ElementType.F32, [Dimension.Of(1)]);
        return graph.Serialize("");
    }
}
