using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MuseAtelier.Cuda.Kernels;
using MuseAtelier.Export.Onnx;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Cuda;

/// <summary>The way of an operator of the project's own through ONNX Runtime's C interface, with one that a processor computes.</summary>
public sealed class OrtCustomOperatorTests
{
    private static readonly nint Domain = OrtCustomOperator.CreateDomain("museatelier.tests", [new ScaledSum()]);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_OfAnOwnOperator_GetsInputsAttributesAndOptionalParts(bool wantsSum)
    {
        using InferenceSession session = Open(factor: 0.5f, wantsSum);
        using OrtValue x = Values(1, 2, 3, 4), bias = Values(10, 20, 30, 40);
        using var options = new RunOptions();
        string[] outputs = wantsSum ? ["y", "sum"] : ["y"];
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(options, ["x", "bias"], [x, bias], outputs);

        Assert.Equal([5.5f, 11, 16.5f, 22], results[0].GetTensorDataAsSpan<float>().ToArray());
        if (wantsSum) Assert.Equal([11f, 22, 33, 44], results[1].GetTensorDataAsSpan<float>().ToArray());
    }

    [Fact]
    public void Run_OfAKernelThatFails_FailsTheRunAndSaysWhy()
    {
        using InferenceSession session = Open(factor: float.NaN, wantsSum: false);
        using OrtValue x = Values(1), bias = Values(1);
        using var options = new RunOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };

        OnnxRuntimeException failure = Assert.Throws<OnnxRuntimeException>(() => session.Run(options, ["x", "bias"], [x, bias], ["y"]));
        Assert.Contains("the factor is not a number", failure.Message, StringComparison.Ordinal);
    }

    private static InferenceSession Open(float factor, bool wantsSum)
    {
        var graph = new GraphBuilder();
        Dimension[] shape = [Dimension.Parse("rows")];
        graph.Input("x", ElementType.F32, shape);
        graph.Input("bias", ElementType.F32, shape);
        // The middle input is optional, and left out.
        IReadOnlyList<string> outputs = graph.Node(
            "ScaledSum", "museatelier.tests", wantsSum ? 2 : 1, ["x", "", "bias"],
            [GraphBuilder.Float("factor", factor), GraphBuilder.Int("unused", 7)]);
        graph.Output(outputs[0], "y", ElementType.F32, shape);
        if (wantsSum) graph.Output(outputs[1], "sum", ElementType.F32, shape);
        using var options = new SessionOptions();
        OrtCustomOperator.AddDomain(options, Domain);
        return new InferenceSession(graph.Serialize("tests"), options);
    }

    private static OrtValue Values(params float[] values) => OrtValue.CreateTensorValueFromMemory(values, [values.Length]);

    private sealed class ScaledSum() : KernelOperator(
        "ScaledSum",
        [new(TensorElementType.Float), new(TensorElementType.Float, IsOptional: true), new(TensorElementType.Float, IsOptional: true)],
        [new(TensorElementType.Float), new(TensorElementType.Float, IsOptional: true)])
    {
        public override bool IsOnCard => false;

        public override OperatorKernel CreateKernel(nint info)
        {
            Assert.Equal(7, OrtCustomOperator.IntegerAttribute(info, "unused\0"u8));
            return new Kernel(OrtCustomOperator.FloatAttribute(info, "factor\0"u8));
        }

        private sealed unsafe class Kernel(float factor) : OperatorKernel
        {
            public override void Compute(nint context)
            {
                if (float.IsNaN(factor)) throw new InvalidOperationException("the factor is not a number");
                Span<long> shape = stackalloc long[4];
                var x = (float*)OrtCustomOperator.Input(context, 0, shape, out int rank);
                if (rank != 1 || OrtCustomOperator.Input(context, 1) != 0)
                    throw new InvalidOperationException("an input that is absent came, or a dimension");
                var bias = (float*)OrtCustomOperator.Input(context, 2);
                var y = (float*)OrtCustomOperator.Output(context, 0, shape[..rank]);
                var sum = (float*)OrtCustomOperator.Output(context, 1, shape[..rank]);
                for (int i = 0; i < shape[0]; i++)
                {
                    y[i] = factor * (x[i] + bias[i]);
                    if (sum != null) sum[i] = x[i] + bias[i];
                }
            }
        }
    }
}
